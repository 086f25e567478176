"""The market data store: what was recorded, where it came from, and nothing that was not recorded.

Layout under `AISTER_HOME/data` (the shipped sample has the same shape):

    manifest.json                            the single commit point: names every file with its SHA-256, rows, span,
    gaps
    klines/SYMBOL/INTERVAL/YYYY-MM.parquet   bars by month of their open time (UTC); a rewritten month is YYYY-MM.rN
    funding/SYMBOL/YYYY-MM.parquet           settlements by month
    quarantine/*.parquet                     rows an import kept out, with reasons
    instruments.json                         filters, fees, funding interval and brackets, in exchangeInfo form
"""

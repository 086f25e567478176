"""The platform's database: accounts, keys, traders, jobs and all they own; SQLite by default, PostgreSQL by a setting.

tables/       one file a noun on one MetaData
types         money and identifiers as columns
connect       an engine for a URL, and one transaction on it
failures      what a database could not do, as one sentence
unit          one transaction and the repositories in it
owned         rows of one person: no statement leaves without the owner in it
guards        append-only tables, guarded against every writer
people        accounts as rows
log           the platform's audit log, a chain of its own
migrate       the schema, up and down
copying       SQLite's file as it was before its schema changed
"""

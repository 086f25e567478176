"""Whether an account can trade, told before anything is sent: one sentence for each reason why not."""

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.codes import meaning
from aister.ports.exchange import AccountTerms, Answer, Refused

__all__ = ["hindrances"]

_DAY_MS = 86_400_000


async def hindrances(account: AsterAccount, expires_ms: int = 0) -> tuple[Refused, ...] | Answer:
    """What must be put right first: wrong clock, a key that ends within a day (`expires_ms`, 0 = unknown), a bad or
    barred key, hedge mode, multi-assets mode, symbols that are unknown or do not trade. Empty when the account can
    trade; an answer when the venue could not be asked."""
    told = await account.server_time()
    if not isinstance(told, int):
        return told
    found = [Refused(-1021, meaning(-1021).sentence)] if account.clock_is_wrong() else []
    if expires_ms and told > expires_ms - _DAY_MS:
        found.append(Refused(-2015, "The agent's key ends within a day or has ended; renew it on the venue's page."))
    terms = await account.terms()
    if isinstance(terms, Refused):
        return (*found, terms)
    if not isinstance(terms, AccountTerms):
        return terms
    if terms.hedged:
        found.append(Refused(-4061, meaning(-4061).sentence))
    if terms.multi_assets:
        found.append(Refused(-4168, "Multi-assets mode is on; switch it off on the venue's settings page."))
    read = await account.instruments()
    if isinstance(read, Refused):
        return (*found, read)
    if not isinstance(read, dict):
        return read
    return (*found, *account.contracts.unavailable.values())

"""Who comes in: weights and bans, signatures, nonces, agents (aster-api 3 and 4)."""

from aister.exchange_sim.accounts import Account
from aister.exchange_sim.auth import Nonces, Verifier, check_hmac, check_v3
from aister.exchange_sim.limits import Meter
from aister.exchange_sim.routes import Route
from aister.exchange_sim.settings import Settings
from aister.exchange_sim.wire import Params, Refusal, Request

__all__ = ["Gate"]

_GUARDED = ("guardedCancelOrder", "guardedBatchOrders")


class Gate:
    """Checks every request before it is answered."""

    def __init__(self, settings: Settings, verify: Verifier) -> None:
        self.settings, self.verify = settings, verify
        self.meter = Meter(settings.limits)
        self.nonces: dict[str, Nonces] = {}
        self._users: dict[str, int] = {}
        self._keys: dict[str, int] = {}

    def know(self, account: Account) -> None:
        """Let an account in by its credentials."""
        if account.credentials.user:
            self._users[account.credentials.user.lower()] = account.number
        if account.credentials.api_key:
            self._keys[account.credentials.api_key] = account.number

    def weigh(self, request: Request, route: Route, params: Params, headers: dict[str, str], now_ms: int) -> None:
        """Charge the request's weight to its address. Raises `Refusal` 429 and 418."""
        status, used = self.meter.weigh(request.remote, route.weighs(params), now_ms)
        headers["X-MBX-USED-WEIGHT-1M"] = str(used)
        if status != 200:
            headers["Retry-After"] = str(self.meter.retry_after_s(request.remote, now_ms))
            raise Refusal(-1003, status=status)

    def count_orders(
        self, account: Account, route: Route, params: Params, headers: dict[str, str], now_ms: int
    ) -> None:
        """Count orders against the account's limit. Raises `Refusal` -1015."""
        if not route.orders:
            return
        allowed, used = self.meter.order(account.number, 1, now_ms)
        if not allowed:
            raise Refusal(-1015)
        headers["X-MBX-ORDER-COUNT-1M"] = str(used)

    def admit(
        self, request: Request, route: Route, params: Params, accounts: dict[int, Account], now_us: int, lost: bool
    ) -> Account:
        """The account a signed request acts for. `lost`: its nonce is not noted (a noop that does nothing). Raises
        `Refusal`."""
        if route.version == 1:
            return self._admit_v1(request, route, params, accounts, now_us // 1000)
        user, signer, nonce = check_v3(request, params, self.settings.chain_id, self.settings.readings, self.verify)
        account = self._account_of(user, signer, accounts)
        agent = account.credentials.agents.get(signer) if account else None
        if account is None or agent is None or agent.revoked:
            raise Refusal(-2015)
        if agent.expires_ms and now_us // 1000 >= agent.expires_ms:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action: the agent has expired.")
        if agent.addresses and request.remote not in agent.addresses:
            raise Refusal(-2015, f"Invalid API-key, IP, or permissions for action, request ip: {request.remote}")
        if route.name in _GUARDED:
            return account
        window_us = self.settings.nonce_window_ms * 1000
        if window_us and abs(nonce - now_us) > window_us:
            raise Refusal(-4225)
        if not lost:
            self._seen_by(user, signer).take(nonce)
        return account

    def _seen_by(self, user: str, signer: str) -> Nonces:
        owner = signer if self.settings.readings.nonces_per == "signer" else user
        return self.nonces.setdefault(owner, Nonces(self.settings.nonces_kept))

    def _account_of(self, user: str, signer: str, accounts: dict[int, Account]) -> Account | None:
        if user:
            return accounts.get(self._users.get(user, 0))
        return next((a for a in accounts.values() if signer in a.credentials.agents), None)

    def _admit_v1(
        self, request: Request, route: Route, params: Params, accounts: dict[int, Account], now_ms: int
    ) -> Account:
        key = request.headers.get("x-mbx-apikey", "")
        if not key:
            raise Refusal(-2014)
        account = accounts.get(self._keys.get(key, 0))
        if account is None:
            raise Refusal(-2015)
        if route.signed == "signed":
            check_hmac(request, params, account.credentials.secret, now_ms)
        return account

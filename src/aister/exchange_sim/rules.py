"""What the simulator refuses and with which code, each with the place in the reference page it is read from; and the
settings under which the page leaves more than one reading.

"aster-api N" is section N of the API reference this was written from. A reading marked [?] there is a field of
`Readings`: tests run every value of it.
"""

from typing import Literal

import msgspec

__all__ = ["CODES", "READINGS", "Code", "Readings"]


class Code(msgspec.Struct, frozen=True):
    """An error code: HTTP status, words, source."""

    text: str
    source: str
    status: int = 400


_LIST = "aster-api 10"
_FILTERS = "aster-api 5, filters"
_ORDERS = "aster-api 6"
_MARGIN = "aster-api 7, positionMargin"
_OFFICIAL = "aster-api's source, official error list"

CODES: dict[int, Code] = {
    -1000: Code("An unknown error occured while processing the request.", _LIST),
    -1001: Code("Internal error; unable to process your request. Please try again.", _LIST, 500),
    -1003: Code("Too many requests; current limit is exceeded. Please use the websocket for live updates.", _LIST, 429),
    -1006: Code("An unexpected response was received from the message bus. Execution status unknown.", _LIST, 503),
    -1007: Code("Timeout waiting for response from backend server. Status unknown.", _LIST, 503),
    -1015: Code("Too many new orders.", _LIST, 429),
    -1020: Code("This operation is not supported.", _OFFICIAL),
    -1021: Code("Timestamp for this request is outside of the recvWindow.", "aster-api 3.1 (4)"),
    -1022: Code("Signature for this request is not valid.", "aster-api 3.1 (4); for V3 [?], aster-api 15"),
    -1100: Code("Illegal characters found in a parameter.", _LIST),
    -1102: Code("A mandatory parameter was not sent, was empty/null, or malformed.", _LIST),
    -1106: Code("A parameter was sent when not required.", _LIST),
    -1111: Code("Precision is over the maximum defined for this asset.", _FILTERS),
    -1115: Code("Invalid timeInForce.", _ORDERS + ", timeInForce"),
    -1116: Code("Invalid orderType.", _ORDERS),
    -1117: Code("Invalid side.", _ORDERS),
    -1120: Code("Invalid interval.", _OFFICIAL),
    -1121: Code("Invalid symbol.", _LIST),
    -1125: Code("This listenKey does not exist.", _LIST),
    -1127: Code("Lookup interval is too big.", _OFFICIAL),
    -1130: Code("Invalid data sent for a parameter.", _OFFICIAL),
    -1136: Code("Invalid newOrderRespType.", _OFFICIAL),
    -2007: Code("Invalid callBack rate.", _ORDERS + ", callbackRate 0.1..5"),
    -2010: Code("New order rejected.", _LIST),
    -2011: Code("Unknown order sent.", _LIST),
    -2013: Code("Order does not exist.", _LIST),
    -2014: Code("API-key format invalid.", _LIST, 401),
    -2015: Code("Invalid API-key, IP, or permissions for action.", _LIST, 401),
    -2018: Code("Balance is insufficient.", _LIST),
    -2019: Code("Margin is insufficient.", _LIST),
    -2020: Code("Unable to fill.", _LIST),
    -2021: Code("Order would immediately trigger.", _ORDERS + ", triggers"),
    -2022: Code("ReduceOnly Order is rejected.", _ORDERS + ", reduceOnly"),
    -2024: Code("Position is not sufficient.", _LIST),
    -2025: Code("Reach max open order limit.", _FILTERS),
    -2027: Code("Exceeded the maximum allowable position at current leverage.", _LIST),
    -2028: Code("Leverage is smaller than permitted: insufficient margin balance.", _LIST),
    -2030: Code("Leverage cannot be changed with an open position.", "aster-api 7, leverage [?] (undocumented)"),
    -4000: Code("Invalid order status.", _ORDERS),
    -4002: Code("Price greater than max price.", _FILTERS),
    -4003: Code("Quantity less than zero.", _LIST),
    -4004: Code("Quantity less than min quantity.", _FILTERS),
    -4005: Code("Quantity greater than max quantity.", _FILTERS),
    -4006: Code("Stop price less than zero.", _FILTERS),
    -4007: Code("Stop price greater than max price.", _FILTERS),
    -4013: Code("Price less than min price.", _FILTERS),
    -4014: Code("Price not increased by tick size.", _FILTERS),
    -4015: Code("Client order id is not valid.", _ORDERS + ", newClientOrderId"),
    -4016: Code("Price is higher than mark price multiplier cap.", _FILTERS),
    -4021: Code("Invalid depth limit.", _OFFICIAL),
    -4023: Code("Quantity not increased by step size.", _FILTERS),
    -4024: Code("Price is lower than mark price multiplier floor.", _FILTERS),
    -4028: Code("Leverage is not valid.", "aster-api 7, leverage"),
    -4031: Code("Invalid parameter working type.", _OFFICIAL),
    -4032: Code("Exceed maximum cancel order size.", _OFFICIAL),
    -4045: Code("Reach max stop order limit.", _FILTERS),
    -4046: Code("No need to change margin type.", "aster-api 7, marginType"),
    -4047: Code("Margin type cannot be changed if there exists open orders.", "aster-api 7, marginType"),
    -4048: Code("Margin type cannot be changed if there exists position.", "aster-api 7, marginType"),
    -4049: Code("Add margin only support for isolated position.", _MARGIN),
    -4050: Code("Cross balance insufficient.", _MARGIN),
    -4051: Code("Isolated balance insufficient.", _MARGIN),
    -4054: Code("Cannot add position margin: position is 0.", _MARGIN),
    -4055: Code("Amount must be positive.", _MARGIN),
    -4059: Code("No need to change position side.", _LIST),
    -4060: Code("Invalid position side.", _OFFICIAL),
    -4061: Code("Order's position side does not match user's setting.", _ORDERS + ", side/positionSide"),
    -4062: Code("Invalid or improper reduceOnly value.", _ORDERS + ", reduceOnly"),
    -4067: Code("Position side cannot be changed if there exists open orders.", _ORDERS + ", side/positionSide"),
    -4068: Code("Position side cannot be changed if there exists position.", _ORDERS + ", side/positionSide"),
    -4082: Code("Invalid number of batch place orders.", _OFFICIAL),
    -4087: Code("User can only place reduce only order.", _LIST),
    -4088: Code("User can not place order currently.", _LIST),
    -4118: Code("ReduceOnly Order failed. Please check your existing position and open orders.", _ORDERS),
    -4130: Code("An open closePosition order in this direction exists.", "Q28's switch; code undocumented [?]"),
    -4131: Code("The counterparty's best price does not meet the PERCENT_PRICE filter limit.", _FILTERS),
    -4137: Code("closePosition order must not carry a quantity.", _ORDERS + ", closePosition"),
    -4138: Code("reduceOnly must not be sent with closePosition.", _ORDERS + ", closePosition"),
    -4140: Code("Invalid symbol status for opening position.", _LIST),
    -4141: Code("Symbol is closed.", _LIST),
    -4142: Code("Order would immediately trigger (stop price out of the market's way).", _ORDERS + ", triggers [?]"),
    -4144: Code("Invalid pair.", _OFFICIAL),
    -4161: Code("Leverage reduction is not supported in isolated margin with open positions.", "aster-api 7, leverage"),
    -4164: Code("Order's notional must be no smaller than the minimum (unless you choose reduce only).", _FILTERS),
    -4168: Code("Isolated margin is not possible in multi-assets mode.", "aster-api 7, marginType [?] (undocumented)"),
    -4183: Code("Stop-limit price is higher than the stop price multiplier cap.", _FILTERS),
    -4184: Code("Stop-limit price is lower than the stop price multiplier floor.", _FILTERS),
    -4225: Code("Nonce Expired", "aster-api 3.3"),
}


class Readings(msgspec.Struct, frozen=True):
    """One value for each rule of which the reference leaves more than one reading ([?])."""

    would_trigger: Literal[-2021, -4142] = -2021
    """aster-api 6, triggers: "-2021 (or -4142)"."""
    post_only_crossing: Literal["expired", "rejected"] = "expired"
    """aster-api 15: a crossing GTX is taken and expires, or is refused with -2010."""
    bad_signature: Literal[-1022, -1000] = -1022
    """aster-api 15: the code of a bad V3 signature."""
    bad_signature_status: Literal[400, 401] = 400
    """aster-api 15: "and its HTTP status"."""
    user_may_be_missing: bool = False
    """aster-api 15: whether `user` may be omitted (the signer's account is meant then)."""
    unknown_parameters: Literal["ignored", "refused"] = "ignored"
    """aster-api 15: the server's handling of unknown parameters (-1106 when refused)."""
    commission_sign: Literal[-1, 1] = 1
    """aster-api 7, userTrades: the docs' sample is negative, a third party treats it as a cost."""
    close_position_while_flat: bool = True
    """C6: whether a closePosition stop may be placed before there is a position."""
    second_close_position: bool = True
    """Q28: whether a second closePosition stop of one direction is taken."""
    strategy_orders: bool = True
    """C6: whether OTO/OTOCO brackets are taken."""
    leverage_with_position: bool = True
    """aster-api 7: -2030 for any change of leverage with a position open, seen by a third party."""
    nonces_per: Literal["signer", "user"] = "signer"
    """Corrections: per signer; aster-api 3.3: per user."""
    callback_max: Literal["5", "4"] = "5"
    """aster-api 6: 0.1..5 %, the batch table says 4."""


READINGS: dict[str, tuple[object, ...]] = {
    "would_trigger": (-2021, -4142),
    "post_only_crossing": ("expired", "rejected"),
    "bad_signature": (-1022, -1000),
    "bad_signature_status": (400, 401),
    "user_may_be_missing": (False, True),
    "unknown_parameters": ("ignored", "refused"),
    "commission_sign": (1, -1),
    "close_position_while_flat": (True, False),
    "second_close_position": (True, False),
    "strategy_orders": (True, False),
    "leverage_with_position": (True, False),
    "nonces_per": ("signer", "user"),
    "callback_max": ("5", "4"),
}
"""Every reading and its values, as tests run them."""

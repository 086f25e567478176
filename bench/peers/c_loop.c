/* The bench's rules and fill model in one C pass, by hand: the bound that the compiled batch loop is held against.

   Rules: EMA20 crosses EMA50 with RSI14 above or below 50 at a bar's close, flat: a market order for the next open,
   sized by equity x risk / (close - stop); after its last fill a stop at 2 x ATR14 and a target at 3 x ATR14 from the
   close that decided. Fill model (docs/fills.md, stop_first): half-spread, stop extra of max(1 bp, 10 % of the mean of
   14 true ranges), taker fees half-even, funding at each settlement, isolated margin with maintenance tiers and
   liquidation, volume cap with what is left going on at the next open. Prices in ticks, sizes in steps, money in 1e-8.
   Compile with -O3 -march=native -ffp-contract=off. */

#include <math.h>
#include <stdint.h>

typedef int64_t i64;

typedef struct {
    i64 unit, tick_e8, taker_e8, liquidation_e8, half_spread_e8, floor_e8, percent, cap_e8, risk_e8, leverage, capital;
    i64 min_steps, market_max_steps, min_notional, tiers;
    i64 rate_e8[8], deduction[8];
} Terms;

typedef struct { i64 trades, wallet, fees, funding, slippage, liquidations, exits, partial; } Result;

typedef struct { double v, a; i64 n, count; } Ema;

static inline double ema(Ema *s, double x) {
    if (s->count < s->n) {
        s->count++;
        s->v += x;
        if (s->count < s->n) return NAN;
        s->v /= (double)s->n;
        return s->v;
    }
    s->v = s->v + s->a * (x - s->v);
    return s->v;
}

static inline i64 half_even(__int128 numerator, i64 denominator) {
    i64 quotient = (i64)(numerator / denominator), rest = (i64)(numerator % denominator);
    if (rest < 0) { rest += denominator; quotient -= 1; }
    i64 twice = 2 * rest;
    return quotient + (twice > denominator || (twice == denominator && (quotient & 1)));
}

static inline i64 ceil_div(i64 a, i64 b) { return a / b + (a % b > 0); }

#define ONE 100000000LL

typedef struct {
    const Terms *t;
    i64 wallet, fees, funding, slippage, steps, cost, trigger, room, range_sum, ranges;
} Account;

static i64 taker(const Account *s, i64 p, i64 side, int with_extra) {
    i64 worse = p * s->t->half_spread_e8;
    if (with_extra) {
        i64 range_e8 = s->ranges ? ceil_div(s->range_sum * ONE, s->ranges) : 0;
        i64 ranged = ceil_div(range_e8 * s->t->percent, 100), least = p * s->t->floor_e8;
        worse += ranged > least ? ranged : least;
    }
    i64 ticks = p + side * ceil_div(worse, ONE);
    return ticks < 1 ? 1 : ticks;
}

/* first tick, towards a loss, at which margin + unrealised <= maintenance; 0 = nowhere */
static void find_trigger(Account *s) {
    s->trigger = 0;
    if (s->steps == 0) return;
    i64 side = s->steps > 0 ? 1 : -1, size = s->steps * side * s->t->unit, cost = s->cost * side;
    i64 margin = (cost + s->t->leverage - 1) / s->t->leverage;
    for (i64 k = 0; k < s->t->tiers; k++) {
        __int128 worth = (__int128)(side > 0 ? cost - margin - s->t->deduction[k] : cost + margin + s->t->deduction[k]);
        __int128 per = (__int128)size * (side > 0 ? ONE - s->t->rate_e8[k] : ONE + s->t->rate_e8[k]);
        if (worth <= 0) continue;
        i64 tick = side > 0 ? (i64)(worth * ONE / per) : (i64)((worth * ONE + per - 1) / per);
        if (s->trigger == 0 || (side > 0 ? tick > s->trigger : tick < s->trigger)) s->trigger = tick;
    }
}

static void fill(Account *s, i64 side, i64 steps, i64 ticks, i64 reference, i64 fee_e8) {
    i64 value = ticks * steps * s->t->unit, fee = half_even((__int128)value * fee_e8, ONE);
    s->slippage += side * (ticks - reference) * steps * s->t->unit;
    s->fees += fee;
    s->wallet -= fee;
    if (s->steps * side >= 0) {
        s->steps += side * steps;
        s->cost += side * value;
    } else {
        i64 held = s->steps < 0 ? -s->steps : s->steps;
        i64 part = steps == held ? s->cost : half_even((__int128)s->cost * steps, held);
        s->wallet += -side * value - part;
        s->steps += side * steps;
        s->cost -= part;
    }
    find_trigger(s);
}

/* as much of it as the bar's volume leaves room for */
static i64 take(Account *s, i64 side, i64 wanted, i64 reference, int with_extra) {
    i64 steps = wanted < s->room ? wanted : s->room;
    if (steps == 0) return 0;
    s->room -= steps;
    fill(s, side, steps, taker(s, reference, side, with_extra), reference, s->t->taker_e8);
    return steps;
}

void run(const Terms *t, i64 n, const i64 *open_ms, const double *o, const double *h, const double *l, const double *c,
         const double *v, i64 settlements, const i64 *funding_ms, const i64 *funding_e8, i64 warmup, i64 *exit_ms,
         i64 *entry_ms, i64 *wallets, Result *out) {
    Account s = {.t = t, .wallet = t->capital};
    Ema fast = {0, 2.0 / 21, 20, 0}, slow = {0, 2.0 / 51, 50, 0};
    Ema gain = {0, 1.0 / 14, 14, 0}, loss = {0, 1.0 / 14, 14, 0}, atr = {0, 1.0 / 14, 14, 0};
    double spread = NAN, per_quote = (double)ONE / (double)t->tick_e8, per_unit = 1000.0;
    i64 ring[14] = {0}, head = 0, paid = 0, trades = 0, exits = 0, liquidations = 0, partial = 0;
    i64 last_c = 0, entry_left = 0, side = 0, stop = 0, target = 0;
    int stopping = 0, aiming = 0, aimed = 0, closing = 0, guarded = 0;
    for (i64 i = 0; i < n; i++) {
        i64 O = (i64)rint(o[i] * per_quote), H = (i64)rint(h[i] * per_quote), L = (i64)rint(l[i] * per_quote);
        i64 C = (i64)rint(c[i] * per_quote);
        while (paid < settlements && funding_ms[paid] <= open_ms[i]) {
            if (s.steps) {
                i64 amount = half_even((__int128)(s.steps * O * t->unit) * funding_e8[paid], ONE);
                s.wallet -= amount;
                s.funding += amount;
            }
            paid++;
        }
        if (s.steps || entry_left) {
            i64 before = s.steps;
            s.room = (i64)rint(v[i] * per_unit) * t->cap_e8 / ONE;
            i64 held = s.steps * side;
            int rest = 0; /* what is left of a stop or close, younger than an entry: after it, with no extra of its own */
            if (held && s.trigger && (O - s.trigger) * side <= 0) { /* liquidated in the gap */
                i64 margin = (s.cost * side + t->leverage - 1) / t->leverage;
                i64 worth = s.cost * side - side * margin, size = held * t->unit;
                i64 broke = side > 0 ? worth / size : ceil_div(worth, size), ticks = taker(&s, O, -side, 1);
                if ((ticks - broke) * side > 0) ticks = broke;
                fill(&s, -side, held, ticks, O, t->liquidation_e8);
                liquidations++;
            } else if (held) {
                if (guarded && !stopping && !aiming && (O - stop) * side <= 0) stopping = 1, take(&s, -side, held, O, 1);
                else if (aimed && !stopping && !aiming && (O - target) * side >= 0) aiming = 1, take(&s, -side, held, O, 0);
                else if (stopping || aiming || closing) rest = 1;
            }
            if (entry_left && (s.steps || !before)) { /* due at the open */
                i64 got = take(&s, side, entry_left, O, 0);
                if (got && !before) entry_ms[trades] = open_ms[i];
                if (got < entry_left) partial++;
                entry_left -= got;
                if (got && !guarded) {
                    if ((O - stop) * side > 0) guarded = 1;
                    else closing = 1, entry_left = 0;
                }
                if (s.steps && !entry_left && !aimed) {
                    if ((target - O) * side > 0) aimed = 1;
                    else closing = 1;
                }
            }
            held = s.steps * side;
            if (rest && held) take(&s, -side, held, O, 0);
            held = s.steps * side;
            if (held) { /* adverse extreme, then favourable */
                i64 worst = side > 0 ? L : H, best = side > 0 ? H : L;
                int stopped = guarded && !stopping && !aiming && (worst - stop) * side <= 0;
                int broken = s.trigger && (worst - s.trigger) * side <= 0;
                if (broken && (!stopped || (s.trigger - stop) * side > 0)) {
                    i64 margin = (s.cost * side + t->leverage - 1) / t->leverage;
                    i64 worth = s.cost * side - side * margin, size = held * t->unit;
                    i64 broke = side > 0 ? worth / size : ceil_div(worth, size), ticks = taker(&s, s.trigger, -side, 1);
                    if ((ticks - broke) * side > 0) ticks = broke;
                    fill(&s, -side, held, ticks, s.trigger, t->liquidation_e8);
                    liquidations++;
                } else if (stopped) {
                    stopping = 1;
                    take(&s, -side, held, stop, 1);
                } else if (aimed && !stopping && !aiming && (best - target) * side >= 0) {
                    aiming = 1;
                    take(&s, -side, held, target, 0);
                }
            }
            if (before != 0 || entry_left == 0) {
                if (s.steps == 0 && (stopping || aiming || closing || before != 0)) {
                    wallets[trades] = s.wallet;
                    exit_ms[trades++] = open_ms[i];
                    exits++;
                    entry_left = 0;
                    stopping = aiming = aimed = closing = guarded = 0;
                }
            }
        }
        /* the true range of this bar, for the bars after it */
        if (i > 0) {
            i64 range = (H > last_c ? H : last_c) - (L < last_c ? L : last_c);
            s.range_sum += range - ring[head];
            ring[head] = range;
            head = head == 13 ? 0 : head + 1;
            if (s.ranges < 14) s.ranges++;
        }
        last_c = C;
        /* its close: indicators, and what they say */
        double f = ema(&fast, c[i]), w = ema(&slow, c[i]), strength = NAN, width = NAN;
        if (i > 0) {
            double change = c[i] - c[i - 1];
            double up = ema(&gain, change > 0.0 ? change : 0.0), down = ema(&loss, -change > 0.0 ? -change : 0.0);
            strength = 100.0 * up / (up + down);
            width = ema(&atr, (h[i] > c[i - 1] ? h[i] : c[i - 1]) - (l[i] < c[i - 1] ? l[i] : c[i - 1]));
        }
        double now = f - w, was = spread;
        if (i + 1 < warmup || !(now == now && strength == strength && width > 0.0)) { spread = NAN; continue; }
        if (now == 0.0) continue;
        spread = now;
        i64 sign = was < 0.0 && now > 0.0 && strength > 50.0 ? 1 : was > 0.0 && now < 0.0 && strength < 50.0 ? -1 : 0;
        if (sign == 0 || s.steps || entry_left) continue;
        double below = (c[i] - 2.0 * width) * per_quote, above = (c[i] + 2.0 * width) * per_quote;
        double near = (c[i] - 3.0 * width) * per_quote, far = (c[i] + 3.0 * width) * per_quote;
        stop = sign > 0 ? (i64)floor(below + 1e-9) : (i64)ceil(above - 1e-9);
        target = sign > 0 ? (i64)ceil(far - 1e-9) : (i64)floor(near + 1e-9);
        side = sign;
        i64 distance = (C - stop) * side, worth = s.wallet, per_step = C * t->unit;
        if (distance < 1 || stop < 1 || worth <= 0) continue;
        i64 steps = (i64)((__int128)worth * t->risk_e8 / ONE / distance / t->unit);
        if (steps > t->market_max_steps) steps = t->market_max_steps;
        if (steps > worth / per_step) steps = worth / per_step;
        if (steps < t->min_steps || steps * per_step < t->min_notional) continue;
        entry_left = steps;
    }
    out->trades = trades, out->wallet = s.wallet, out->fees = s.fees, out->funding = s.funding;
    out->slippage = s.slippage, out->liquidations = liquidations, out->exits = exits, out->partial = partial;
}

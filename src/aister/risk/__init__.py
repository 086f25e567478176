"""The risk kernel: no order leaves without its permission, and nothing it holds back is ever a reduction.

kernel      review(intent, situation) -> Approved | Refused, and the transitions that move the breakers
limits/     one limit a file; `LIMITS` is the order in which they speak
profile     every bound, by profile          situation   what a review reads
nav         unitised NAV, day, week, peak    conduct     messages, repetition, losses in a row, stops
kelly       growth-optimal fraction          sizing      risk budget and distance -> steps
"""

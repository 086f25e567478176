"""Running a strategy written as a Python class: the columns it is shown, the loop that asks it, the check of its
signals."""

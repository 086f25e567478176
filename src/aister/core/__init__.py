"""The nouns: frozen values, exact numbers, and the two lists of all that can be asked and all that can happen."""

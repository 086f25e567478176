"""Three agents who debate and vote on every setup; the vote, its expected value and its veto are code (product.md
2)."""

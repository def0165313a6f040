"""Files of evidence: sealed on their way in, checked on their way out."""

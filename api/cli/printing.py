"""What may go to a terminal."""


def printable(text: str) -> str:
    """Without control characters but line breaks: much of what is shown comes from a server that is not trusted."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)

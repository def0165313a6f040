"""Which reports and incidents may be about the same occurrence. Pure; it proposes, people decide."""

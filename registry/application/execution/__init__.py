"""What every command goes through: a unit of work, its decision, the sealing of its events, the answer."""

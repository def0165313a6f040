"""What people ask about their own data: access, objection, erasure."""

"""The pages for those who write programs: guides, and references made from the documents that the register serves."""

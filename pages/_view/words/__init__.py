"""Words that pages share: help texts, phrases, the method."""

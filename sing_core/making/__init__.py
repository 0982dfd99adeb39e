"""How what ships was trained and measured; nothing else imports it."""

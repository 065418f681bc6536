"""What an e-mail is made of: headers, parts, signature, connections."""

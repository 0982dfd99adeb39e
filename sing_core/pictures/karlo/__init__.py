"""Pictures by Karlo UnCLIP, from embeddings of OpenAI's ViT-L/14."""

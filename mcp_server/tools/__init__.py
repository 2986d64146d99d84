"""The tools of the door: typed async functions whose docstrings tell a model when to use them."""

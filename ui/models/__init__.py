"""A new model of single files: what was found, what each file plays, what is missing, and saving it."""

"""What pictures add to a model's passes, a module per way in which Wan models see."""

"""Retraining, above the plug-ins and beside preparing: data, tasks, models and one loop. The scripts lie in train/."""

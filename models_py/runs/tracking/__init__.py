"""Finished runs in MLflow: an experiment a study, a registered model a study."""

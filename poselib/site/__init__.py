"""The results as pages for a browser, without a network: index, every executed notebook, claims, ledger, trainings."""

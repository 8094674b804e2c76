"""The bodies of the tabs. A pane gets the whole picture and asks the link for the rest; its widgets only draw."""

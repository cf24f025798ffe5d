"""Where leases are kept: each module is one ``interfaces.ILeaseStore``."""

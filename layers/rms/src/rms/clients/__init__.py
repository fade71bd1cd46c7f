"""Clients: who they are, what they configured, whose key is whose. Use cases: see the names below."""

from rms.clients.credentials import Tenant, authenticate

__all__ = ["Tenant", "authenticate"]

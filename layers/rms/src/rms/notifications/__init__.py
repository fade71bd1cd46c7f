"""Notifications: tell every subscribed endpoint what happened, in order and signed. Use cases: see the names below."""

from rms.notifications.delivery import deliver_notifications, release_parked
from rms.notifications.replay import read_replay, replay_notifications

__all__ = ["deliver_notifications", "read_replay", "release_parked", "replay_notifications"]

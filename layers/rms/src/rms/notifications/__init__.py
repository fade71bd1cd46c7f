"""Notifications: tell every subscribed endpoint what happened, in order and signed. Use cases: see the names below."""

from typing import TYPE_CHECKING

from rms.platform.loading import names_from

if TYPE_CHECKING:
    from rms.notifications.delivery import deliver_notifications, release_parked
    from rms.notifications.replay import read_replay, replay_notifications
else:
    __getattr__ = names_from(
        __name__,
        {
            "deliver_notifications": "delivery",
            "release_parked": "delivery",
            "read_replay": "replay",
            "replay_notifications": "replay",
        },
    )

__all__ = ["deliver_notifications", "read_replay", "release_parked", "replay_notifications"]

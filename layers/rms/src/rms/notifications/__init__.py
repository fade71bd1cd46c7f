"""Notifications: tell every subscribed endpoint what happened, in order and signed. Use cases: see the names below."""

from typing import TYPE_CHECKING

from rms.platform.loading import names_from

if TYPE_CHECKING:
    from rms.notifications.attending import attend_endpoint
    from rms.notifications.delivery import deliver_notifications
    from rms.notifications.notices import disable_endpoint
    from rms.notifications.replay import read_replay, replay_notifications
    from rms.notifications.testing import send_sample
else:
    __getattr__ = names_from(
        __name__,
        {
            "attend_endpoint": "attending",
            "deliver_notifications": "delivery",
            "disable_endpoint": "notices",
            "read_replay": "replay",
            "replay_notifications": "replay",
            "send_sample": "testing",
        },
    )

__all__ = [
    "attend_endpoint",
    "deliver_notifications",
    "disable_endpoint",
    "read_replay",
    "replay_notifications",
    "send_sample",
]

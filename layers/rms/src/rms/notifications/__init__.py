"""Notifications: tell every subscribed endpoint what happened, in order and signed. Use cases: see the names below."""

from typing import TYPE_CHECKING

from rms.platform.loading import names_from

if TYPE_CHECKING:
    from rms.notifications.attending import attend_endpoint
    from rms.notifications.delivery import deliver_notifications
    from rms.notifications.exporting import export_deliveries, export_order
    from rms.notifications.notices import disable_endpoint
    from rms.notifications.repair import replay_event, skip_event
    from rms.notifications.replay import read_replay, replay_notifications, replay_order
    from rms.notifications.replays import cancel_replay, continue_replay, show_replay, start_replay
    from rms.notifications.seen import endpoint_deliveries, endpoint_waiting, order_deliveries
    from rms.notifications.testing import send_sample
else:
    __getattr__ = names_from(
        __name__,
        {
            "attend_endpoint": "attending",
            "cancel_replay": "replays",
            "continue_replay": "replays",
            "deliver_notifications": "delivery",
            "disable_endpoint": "notices",
            "endpoint_deliveries": "seen",
            "endpoint_waiting": "seen",
            "export_deliveries": "exporting",
            "export_order": "exporting",
            "order_deliveries": "seen",
            "read_replay": "replay",
            "replay_event": "repair",
            "replay_notifications": "replay",
            "replay_order": "replay",
            "send_sample": "testing",
            "show_replay": "replays",
            "skip_event": "repair",
            "start_replay": "replays",
        },
    )

__all__ = [
    "attend_endpoint",
    "cancel_replay",
    "continue_replay",
    "deliver_notifications",
    "disable_endpoint",
    "endpoint_deliveries",
    "endpoint_waiting",
    "export_deliveries",
    "export_order",
    "order_deliveries",
    "read_replay",
    "replay_event",
    "replay_notifications",
    "replay_order",
    "send_sample",
    "show_replay",
    "skip_event",
    "start_replay",
]

"""Clickpost: books return pick-ups with any carrier and reports their scans. Source: ClickPost guide.

An account at Clickpost, as configuration (`Account.options`, all text):

| option            | must | what                                                                                      |
| ----------------- | ---- | ----------------------------------------------------------------------------------------- |
| `username`        | yes  | the user name of the API; may stand in the secrets instead                                |
| `courier_partner` | yes  | id of the carrier that collects returns, the *reverse* one: 25 for Delhivery, not 4       |
| `account_code`    | yes  | name of the carrier account on Clickpost's dashboard                                      |
| `base_url`        | no   | `https://www.clickpost.in/api` unless given                                               |
| `qc_params`       | no   | checks of a doorstep QC, separated by commas; without it Clickpost's own set-up decides   |
| `channel_name`    | no   | sales channel shown on the dashboard                                                      |

`Account.secrets` holds `key`, the API key. `check_account` says what is wrong with an account before it is saved.
"""

from rms.aggregators.clickpost.account import check_account
from rms.aggregators.clickpost.adapter import Clickpost

__all__ = ["Clickpost", "check_account"]

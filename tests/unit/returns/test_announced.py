from tests.webhooks import a_request, receive
from tests.world import World


def test_the_awb_of_a_return_that_comes_before_the_news_of_its_placing_is_applied_once_that_is_known() -> None:
    world = World()

    receive(world, a_request(9, "RE-1", awb="AWB-1"), a_request(11, "RE-1"))
    world.settle()

    assert world.read_return("RE-1").body["returnAwb"] == "AWB-1"
    assert world.heard("RE-1") == ["RETURN_ORDER_PLACED", "AWB_GENERATED"]

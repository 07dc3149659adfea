"""kill -9 of the database server with all its back ends, in the middle of sending."""

from django.db import connection

from smartpush.machine.embedded import launcher
from smartpush.machine.embedded.layout import Layout
from tests.browser.product.running import Product, tree
from tests.support.processes import kill

from .letter import Letter


def test_a_killed_database_server_comes_back_and_nothing_is_lost(
    product: Product, layout: Layout, letter: Letter, record_property
):
    letter.post()
    letter.wait_received(150)
    server = launcher.status(layout=layout).pid
    assert server is not None
    kill(tree(server))
    connection.close()
    letter.hurry()
    letter.settle()
    product.wait_web()
    assert launcher.status(layout=layout).pid not in (None, server)
    repeated = letter.everybody_got_it()
    record_property("messages_sent_again", repeated)
    print(f"sent again: {repeated}")

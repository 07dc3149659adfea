"""The send path: claim a chunk, gate its rows, render, put them on the wire, write the results in bulk."""

from devices.delivery.sending.send import chunk_send, lane_send

__all__ = ["chunk_send", "lane_send"]

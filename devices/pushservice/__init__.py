"""A push service for one machine: the demo, the tests and integrators send to it instead of the internet.

It speaks RFC 8030 with VAPID to senders, Mozilla's autopush websocket protocol to Firefox, and FCM's HTTP v1
for native apps. Everything lives in the memory of one asyncio process; nothing here imports Django.
"""

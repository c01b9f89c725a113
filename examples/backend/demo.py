"""Walks through examples/backend/wardroom.py: `python3 demo.py <name of a room>`."""
import sys

from wardroom import create_room, join, publish, publish_as, sign_in, sign_out

room = sys.argv[1]
create_room(room, "Orders")
tokens = sign_in("customer-8", "Cleo")
print(f"signed in: session {tokens['session_id']}")
join("customer-8", room)
publish(room, "Your order is on its way.", "order-1")
publish(room, "Your order is on its way.", "order-1")
seq = publish_as("customer-8", room, "Thank you!", "thanks-1")["seq"]
print(f"published: {seq} messages")
receipt = sign_out("customer-8")
print(f"signed out: effective {str(receipt['effective']).lower()}, sessions {receipt['sessions']}")

"""A backend with accounts of its own, in FastAPI: `uvicorn shop:app` (Debian: python3-fastapi,
python3-uvicorn). Its sign-in is a stand-in for yours."""
from fastapi import FastAPI, Header, HTTPException

from wardroom import Refused, join, publish_as, sign_in, sign_out

app = FastAPI()
CUSTOMERS = {"cookie-of-cleo": ("customer-8", "Cleo")}


def customer(cookie):
    """Whoever your product has signed in."""
    if cookie not in CUSTOMERS:
        raise HTTPException(401, "Please sign in.")
    return CUSTOMERS[cookie]


@app.post("/chat-session")
def chat_session(x_shop_session: str = Header("")):
    """The page of your product asks for it, and gives it to the Wardroom client."""
    return sign_in(*customer(x_shop_session))


@app.post("/orders/{order}/question")
def ask(order: str, text: str, x_shop_session: str = Header("")):
    """A message in the name of the customer, who has the rights of the customer."""
    user, _ = customer(x_shop_session)
    try:
        join(user, order)
        return publish_as(user, order, text, f"question-{order}")
    except Refused as refused:
        raise HTTPException(409, refused.code) from None


@app.post("/sign-out")
def leave(x_shop_session: str = Header("")):
    """Signs the customer out of Wardroom, too: in every tab, on every device."""
    user, _ = customer(x_shop_session)
    return {"effective": sign_out(user)["effective"]}

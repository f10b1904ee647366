"""Asking a server that speaks the OpenAI protocol: standard library only, no tensor library.

address.py knows where and with which key; transport.py sends one request; calls.py tries again; pace.py keeps the rate;
answered.py keeps what was answered, so that a killed run does not ask it again, and places.py knows a call again;
replies.py and scores.py read what came back, which is data and may be anything; ledger.py counts. The sampler that
plays roles with them is `selfplay.samplers.openai`.
"""

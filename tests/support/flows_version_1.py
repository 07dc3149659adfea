"""One flow as 0.3.0 stored it: the draft of the editor, and the compiled graph of its version."""

DRAFT = {
    "version": 1,
    "start": "a1",
    "activities": [
        {
            "key": "a1",
            "kind": "popup",
            "popup": 7,
            "timeout": 600,
            "next": {"allowed": "a2", "blocked": None, "no_answer": "a4"},
        },
        {"key": "a2", "kind": "delay", "seconds": 60, "next": "a3"},
        {"key": "a3", "kind": "push", "push": 8, "target_devices": "web", "next": None},
        {"key": "a4", "kind": "stop"},
    ],
}
HIDDEN = ("expired", "busy", "opted_out", "cancelled")
GRAPH = {
    "version": 1,
    "start": "a1",
    "steps": {
        "a1": {
            "kind": "popup",
            "resource": 7,
            "seconds": 600,
            "target_devices": "all",
            "next": {"allowed": "a2", "no_answer": "a4", **dict.fromkeys(HIDDEN, "a4")},
        },
        "a2": {"kind": "delay", "resource": None, "seconds": 60, "target_devices": "all", "next": {"*": "a3"}},
        "a3": {"kind": "push", "resource": 8, "seconds": 0, "target_devices": "web", "next": {}},
        "a4": {"kind": "stop", "resource": None, "seconds": 0, "target_devices": "all", "next": {}},
    },
}

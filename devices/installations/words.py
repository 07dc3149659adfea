"""Why a push status is what it is, what changed it, and why a token went, in words for staff."""

from smartpush.common.code_words import code_table

STATUS_REASONS = code_table(
    "reason",
    {
        "insecure_context": "the page is not on https",
        "no_api": "the browser has no push",
        "no_service_worker": "the browser has no service workers",
        "ios_not_installed": "on an iPhone the website must be on the home screen first",
        "subscribe_refused": "allowed, but the browser refuses to subscribe",
        "show_refused": "allowed, but the browser refuses to show notifications",
        "contradictory": "the browser's own answers contradict each other",
        "foreign_subscription": "another vendor's subscription is in place",
        "worker_failed": "the service worker could not be registered; check your installation",
        "dismissed": "the browser's question was dismissed",
        "permission_default_after_prompt": "the browser's question ended without an answer",
        "subscription_missing": "allowed, but the subscription is gone; it subscribes anew",
        "revoked": "the permission was taken away",
        "lost_permission": "the browser took the permission back",
        "unknown": "the app gave a reason that is not known here",
        "provisional": "iOS delivers quietly; the person was not asked yet",
        "settings_off": "notifications are off in the system's settings",
        "play_services_missing": "Android without Google Play services",
        "simulator": "an iOS simulator",
        "token_missing": "allowed, but Firebase or Apple has given no token yet",
        "held_by_other": "somebody else holds the push address of this device",
        "taken_over": "somebody else logged in on this device",
        "logged_out": "logged out, which stops pushes for this brand",
    },
)
STATUS_CAUSES = code_table(
    "cause",
    {
        "session": "at a visit",
        "popup": "after a popup",
        "sdk_call": "reported by the page",
        "resubscribe": "when the browser subscribed anew",
        "worker": "by the service worker",
        "logout": "at logout",
        "takeover": "at another person's login",
        "merge": "when two people were merged",
    },
)
TOKEN_ENDS = code_table(
    "reason",
    {
        "refreshed": "replaced by a newer one",
        "replaced": "the browser came back as a new device",
        "taken_over": "somebody else logged in",
        "gone": "the push service says that it has ended",
        "sender_id_mismatch": "it belongs to another Firebase project",
        "app_archived": "the website or app was archived",
        "logged_out": "logged out, which stops pushes for this brand",
        "consent_withdrawn": "the consent to the site was withdrawn",
        "erased": "the person was erased",
        "unsubscribed": "the browser unsubscribed",
        "blocked": "the permission was taken away",
        "reported_ask": "the browser reports no permission any more",
        "reported_allowed": "the browser reports no subscription any more",
        "reported_blocked": "the permission was taken away",
        "reported_not_supported": "the browser reports that it has no push",
        "reported_suspended": "somebody else logged in",
    },
)

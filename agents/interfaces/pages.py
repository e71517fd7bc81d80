"""What every HTML page of hoptrace has: one style, and a policy under which nothing runs and nothing is loaded."""

from __future__ import annotations

from ...kg.safe_text import markup

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #16803c; --bad: #c02626; --link: #2563a8 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
article { border-top: 1px solid var(--line); padding: 1.2rem 0 } h2 { font-size: 1.15rem; margin: 0 }
.answer { font-size: 1.3rem; font-weight: 600; margin: .3rem 0 } .meta { opacity: .7; font-size: .9rem }
figure { margin: 1rem 0; overflow-x: auto } svg { max-width: none }
svg text { font: 14px system-ui, sans-serif; fill: currentColor }
blockquote { margin: .8rem 0; padding: .5rem .9rem; white-space: pre-wrap; background: var(--soft);
  border-left: 3px solid var(--line) }
blockquote cite { display: block; font: .85rem ui-monospace, monospace; color: var(--link); white-space: normal }
mark { background: #ffe08a; color: #111; padding: 0 .1em } .good { color: var(--good) } .bad { color: var(--bad) }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def whole(title: str, heading: str, body: str, style: str = "") -> str:
    """A page that needs nothing else.

    Args:
        title, heading: plain text.
        body: HTML in which everything from outside is escaped.
        style: rules beside those of every page.
    """
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<meta name='viewport' content='width=device-width'><title>{markup(title)}</title>"
        f"<style>{STYLE}{style}</style></head>\n<body><h1>{markup(heading)}</h1>\n{body}\n</body></html>\n"
    )


__all__ = ["POLICY", "STYLE", "whole"]

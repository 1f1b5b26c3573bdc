"""Whose a domain is: which names nobody owns, since everybody may have one under them. Pure.

No list of the whole world's registries: labels that registries use, and services under whose name many live.
"""

# Labels under which a country's registry sells names: nobody owns `com.kz`.
_LABELS = """
    com co org net edu gov gob gouv ac mil or ne go info biz name web sch school msk spb nov pp in int nom press
"""
_SHARED = """
    github.io gitlab.io herokuapp.com azurewebsites.net cloudapp.net appspot.com web.app firebaseapp.com blogspot.com
    netlify.app vercel.app pages.dev workers.dev amazonaws.com fly.dev onrender.com kiev.ua kharkov.ua lviv.ua odessa.ua
    eu.org us.com uk.com ru.com
"""
REGISTRY_LABELS = frozenset(_LABELS.split())
SHARED_SUFFIXES = frozenset(_SHARED.split())


def is_public(domain: str) -> bool:
    """Whether nobody owns it: a registry's, a service's, or no domain at all. In small letters, as in the DNS."""
    labels = domain.split(".")
    if len(labels) < 2 or "" in labels:
        return True
    by_country = len(labels) == 2 and len(labels[1]) == 2 and labels[0] in REGISTRY_LABELS
    return by_country or domain in SHARED_SUFFIXES


def owned(domain: str) -> str:
    """Whose it is: `mail.firm.com.kz` is of `firm.com.kz`, the shortest end that is owned. Itself if there is none."""
    labels = domain.split(".")
    ends = (".".join(labels[place:]) for place in range(len(labels) - 1, -1, -1))
    return next((end for end in ends if not is_public(end)), domain)


def as_in_dns(domain: str) -> str:
    """In the letters of the DNS, small: `фирма.қаз` is `xn--80apmps.xn--80ao21a`. What cannot be one stays as it is."""
    bare = domain.strip().strip(".").lower()
    try:
        return bare if bare.isascii() else bare.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return bare

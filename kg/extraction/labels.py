"""What is known of relations by their labels."""

# for labels of Wikidata, what the rule extractor says, so that what both read is one fact
SAID = {
    "author": "written by",
    "cast member": "starring",
    "composer": "composed by",
    "country of citizenship": "nationality",
    "country of origin": "country",
    "director": "directed by",
    "dissolved, abolished or demolished": "dissolved in",
    "headquarters location": "headquartered in",
    "inception": "founded in",
    "instance of": "is a",
    "located in the administrative terroritorial entity": "located in",
    "notable works": "notable work",
    "performer": "performed by",
    "producer": "produced by",
    "publication date": "released in",
    "publisher": "published by",
    "screenwriter": "written by",
}

# of these, somebody has one
SINGLE = frozenset(["date of birth", "date of death", "father", "mother", "place of birth", "place of death"])

__all__ = ["SAID", "SINGLE"]

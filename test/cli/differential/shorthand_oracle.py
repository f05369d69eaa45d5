"""Parses shorthand with the AWS CLI's own parser: a JSON list of texts in, of results out."""
import json
import os
import sys

import awscli

# Some packages carry their own botocore inside awscli.
sys.path.insert(0, os.path.dirname(awscli.__file__))
from awscli.shorthand import ShorthandParseError, ShorthandParser  # noqa: E402


def parse(text):
    try:
        return {"value": ShorthandParser().parse(text)}
    except ShorthandParseError as error:
        return {"error": str(error)}


json.dump([parse(text) for text in json.load(sys.stdin)], sys.stdout)

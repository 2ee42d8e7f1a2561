"""The only room that speaks HTTP and knows the API's JSON."""

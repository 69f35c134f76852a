// What a gateway owes a response.

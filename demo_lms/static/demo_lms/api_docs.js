// Shows the OpenAPI document that the page names. Everything comes from this site.
const place = document.getElementById("swagger");
const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));

SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  requestInterceptor: (request) => {
    // People who are signed in write with Django's protection against forged requests.
    if (cookie) request.headers["X-CSRFToken"] = cookie.split("=")[1];
    return request;
  },
});

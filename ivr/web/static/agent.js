(function () {
  "use strict";
  var live = document.getElementById("live");
  function look() {
    fetch(location.href, { headers: { "X-Refresh": "1" }, credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (text) {
        var fresh = text && new DOMParser().parseFromString(text, "text/html").getElementById("live");
        if (fresh && fresh.textContent !== live.textContent) { live.replaceChildren.apply(live, fresh.childNodes); }
      })
      .catch(function () { /* the next look comes in three seconds */ })
      .then(function () { setTimeout(look, 3000); });
  }
  setTimeout(look, 3000);
})();

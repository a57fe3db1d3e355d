(function () {
  "use strict";
  var here = location.pathname.replace(/\/$/, ""), waiting = 0;
  function tell(what) {
    if (navigator.sendBeacon) { navigator.sendBeacon(here + "/" + what); }
  }
  function look() {
    clearTimeout(waiting);
    if (document.visibilityState === "visible") {
      waiting = setTimeout(function () {
        document.removeEventListener("visibilitychange", look);
        tell("seen");
      }, 3000);
    }
  }
  document.addEventListener("visibilitychange", look);
  look();
  var source = document.getElementById("source");
  if (source) { source.addEventListener("click", function () { tell("source"); }); }
})();

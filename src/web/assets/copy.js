// Copies what a button names; where that may not be, it is selected at least.
document.onclick = function (e) {
  var b = e.target, p = document.getElementById(b.value);
  if (!p) return;
  getSelection().selectAllChildren(p);
  if (document.execCommand("copy")) b.textContent = b.getAttribute("data-done");
};

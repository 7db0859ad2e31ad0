// Run by mongosh as the health check of a replica set of one: it fails unless the server takes writes. The first time, it makes the
// replica set; a server that only hasn't read its configuration yet refuses that.
if (!db.hello().setName) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "127.0.0.1:27017" }] });
}
if (!db.hello().isWritablePrimary) {
  quit(1);
}

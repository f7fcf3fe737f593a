// Becomes the user of the guest, and goes on as a test.
const id = Number(process.env.TESTER);
process.setgroups([]);
process.setgid(id);
process.setuid(id);
await import(process.argv[2]);

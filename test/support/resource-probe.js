// Loaded into the service before it starts (`node --import`): tells the test what the process holds open.
process.on('message', () => process.send?.(process.getActiveResourcesInfo()));
// The channel must not be a reason to stay alive, nor be counted as one of the service's resources.
process.channel?.unref();

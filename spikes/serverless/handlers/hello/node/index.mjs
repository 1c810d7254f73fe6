// Answers a constant.
export const handler = async () => ({ message: "hello spike" });

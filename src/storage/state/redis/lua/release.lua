-- Lets go of what the process holds. Answers with how many it was: 0 when there are no more.
return letAllGo(process)

-- What the scripts that read rows share.

-- Counts every field, because another program may have put anything into the stream.
local function sizeOfRow(fields)
  local size = 0
  for _, field in ipairs(fields) do size = size + #field end
  return size
end

